"""How GitHub's workflows get into an account: without a key, by what their token says of them."""

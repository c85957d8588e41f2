"""The gates that a change passes: each looks at a checkout and tells what is wrong with it."""

"""config.*: all that is wrong is told at once, with line, path and remedy, and exit code 2."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
BROKEN_DIR = ROOT / "tests" / "data" / "broken-configurations"

# File → what must be told: line, path, and how the problem and the remedy begin.
BROKEN = {
    "01-empty": [(1, "", "the file is empty", "project, defaults and environments, as in")],
    "02-only-a-comment": [
        (1, "", "the file is empty", "project, defaults and environments, as in")
    ],
    "03-list-where-a-mapping-is-due": [
        (1, "", "the file is not a mapping", "project, defaults and environments, as in")
    ],
    "04-a-word": [
        (1, "", "the file is not a mapping", "project, defaults and environments, as in")
    ],
    "05-tab": [
        (
            5,
            "",
            "not YAML: found character '\\t' that cannot start any token",
            "valid YAML: two spaces per level, no tabs,",
        )
    ],
    "06-unclosed-quote": [
        (
            2,
            "",
            "not YAML: found unexpected end of stream",
            "valid YAML: two spaces per level, no tabs,",
        )
    ],
    "07-unclosed-bracket": [
        (
            12,
            "",
            "not YAML: expected ',' or ']', but got '<stream end>'",
            "valid YAML: two spaces per level, no tabs,",
        )
    ],
    "08-colon-in-plain-text": [
        (
            12,
            "",
            "not YAML: mapping values are not allowed here",
            "valid YAML: two spaces per level, no tabs,",
        )
    ],
    "09-not-utf-8": [(10, "", "byte 0xfc is not UTF-8", "the file in UTF-8 (`iconv -f latin1 -t")],
    "10-binary": [
        (
            1,
            "",
            "not YAML: special characters are not allowed",
            "valid YAML: two spaces per level, no tabs,",
        )
    ],
    "11-duplicate-key": [
        (3, "project.name", '"name" stands here twice, first in line 2', "it once")
    ],
    "12-duplicate-environment": [
        (10, "environments.dev", '"dev" stands here twice, first in line 4', "it once")
    ],
    "13-alias-bomb": [(1, "e.1.5.2.3", "aliases grow without end", "the values themselves")],
    "14-alias-of-itself": [
        (1, "project.again", "aliases grow without end", "the values themselves")
    ],
    "15-merge-key": [
        (7, "environments.staging", "<< is not read here", "what environments share, in defaults")
    ],
    "16-brackets-without-end": [
        (1, "", "brackets or levels nest without end", "at most five levels")
    ],
    "17-python-object": [
        (
            2,
            "project.name",
            'the tag "tag:yaml.org,2002:python/object/apply:os.getcwd" is not read',
            "it without a tag",
        )
    ],
    "18-two-documents": [
        (
            10,
            "",
            "not YAML: but found another document",
            "valid YAML: two spaces per level, no tabs,",
        )
    ],
    "19-undefined-alias": [
        (
            2,
            "",
            "not YAML: found undefined alias 'nobody'",
            "valid YAML: two spaces per level, no tabs,",
        )
    ],
    "20-number-as-key": [
        (10, "environments", "a key is not text", "a name, in quotes if it is a number")
    ],
    "21-missing-project": [
        (1, "project", "the key is missing", "a group of keys, for example {name: airbrew}")
    ],
    "22-missing-environments": [
        (1, "environments", "the key is missing", "a group of keys, for example dev: {type:")
    ],
    "23-missing-prod": [
        (3, "environments.prod", "the key is missing", "a group of keys, for example {type:")
    ],
    "24-missing-type": [
        (
            6,
            "environments.staging.type",
            "the key is missing",
            "one of development, staging, production",
        )
    ],
    "25-environment-without-value": [
        (
            6,
            "environments.staging",
            "the key has no value",
            "a group of keys, for example {type: staging}",
        )
    ],
    "26-unknown-environment": [
        (10, "environments.prd", 'unknown key "prd"', '"prod", if that is what you mean')
    ],
    "27-unknown-top-level-key": [
        (10, "enviroments", 'unknown key "enviroments"', '"environments", if that is what you mean')
    ],
    "28-misspelt-key": [
        (
            7,
            "environments.dev.workflow.max_concurency",
            'unknown key "max_concurency"',
            '"max_concurrency", if that is what you mean',
        )
    ],
    "29-key-of-nothing-known": [
        (
            6,
            "environments.dev.colour",
            'unknown key "colour"',
            "one of type, account_id, region, mirror,",
        )
    ],
    "30-environment-is-a-list": [
        (
            6,
            "environments.staging",
            "a list is not a group of keys",
            "a group of keys, for example {type: staging}",
        )
    ],
    "31-group-is-a-word": [
        (
            6,
            "environments.dev.workflow",
            '"fast" is not a group of keys',
            "a group of keys: max_concurrency,",
        )
    ],
    "32-text-where-a-number-is-due": [
        (
            7,
            "environments.dev.workflow.max_concurrency",
            '"many" is not a whole number',
            "a whole number from 1 to 1000, for example 8",
        )
    ],
    "33-number-in-quotes": [
        (
            7,
            "environments.dev.workflow.max_concurrency",
            '"4" is not a whole number',
            "4, without quotes",
        )
    ],
    "34-fraction": [
        (
            7,
            "environments.dev.workflow.max_concurrency",
            "2.5 is not a whole number",
            "a whole number from 1 to 1000, for example 8",
        )
    ],
    "35-too-large": [
        (
            7,
            "environments.dev.workflow.max_concurrency",
            "100000 is more than 1000",
            "a whole number from 1 to 1000, for example 8",
        )
    ],
    "36-too-small": [
        (
            8,
            "environments.dev.functions.orchestrator.memory_mib",
            "64 is less than 128",
            "a whole number from 128 to 10240, for",
        )
    ],
    "37-negative": [
        (
            7,
            "environments.dev.mirror.keep_replaced_days",
            "-1 is less than 0",
            "a whole number from 0 to 3650, for example 30",
        )
    ],
    "38-text-where-a-truth-is-due": [
        (
            7,
            "environments.dev.schedule.enabled",
            '"sometimes" is not true or false',
            "true or false, for example true",
        )
    ],
    "39-null-where-none-may-be": [
        (
            6,
            "environments.dev.region",
            "the key has no value",
            "one of us-east-1, us-east-2, us-west-1,",
        )
    ],
    "40-unknown-region": [
        (
            6,
            "environments.dev.region",
            '"eu-centrl-1" is none of the values that are known here',
            '"eu-central-1", if that is what you mean',
        )
    ],
    "41-account-id-as-a-number": [
        (6, "environments.dev.account_id", "123456789012 is not text", '"123456789012", in quotes')
    ],
    "42-account-id-too-short": [
        (
            6,
            "environments.dev.account_id",
            '"12345" is not an AWS account of 12 digits, in quotes',
            "an AWS account of 12 digits, in quotes, for",
        )
    ],
    "43-type-of-another-word": [
        (
            9,
            "environments.prod.type",
            '"prod" is none of the values that are known here',
            "one of development, staging, production",
        )
    ],
    "44-name-with-capitals": [
        (
            2,
            "project.name",
            '"Airbrew" is not a name of 2 to 20 of a-z, 0-9 and -, a letter first',
            "a name of 2 to 20 of a-z, 0-9 and -, a",
        )
    ],
    "45-name-that-s3-reserves": [
        (2, "project.name", "the bucket's name would be refused:", "another name")
    ],
    "46-name-is-yes": [(2, "project.name", "yes is not text", '"yes", in quotes')],
    "47-python-as-a-number": [
        (7, "environments.dev.functions.python", "3.13 is not text", '"3.13", in quotes')
    ],
    "48-unknown-platform": [
        (
            7,
            "environments.dev.selection.platforms.1",
            '"arm64_tahoo" is none of the values that are known here',
            '"arm64_tahoe", if that is what you mean',
        )
    ],
    "49-no-platforms": [
        (
            7,
            "environments.dev.selection.platforms",
            "the list is empty",
            "a list, for example [arm64_tahoe,",
        )
    ],
    "50-formula-is-a-path": [
        (
            9,
            "environments.dev.selection.formulae.1",
            '"homebrew/core/wget" is not a formula\'s name or a glob of names',
            "a formula's name or a glob of names, for",
        )
    ],
    "51-formulae-is-a-word": [
        (
            7,
            "environments.dev.selection.formulae",
            '"jq" is not a list',
            'a list, for example [jq, "python@3.*"]',
        )
    ],
    "52-retention-that-cloudwatch-lacks": [
        (
            7,
            "environments.dev.logs.retention_days",
            "8 is none of the values that are known here",
            "one of 1, 3, 5, 7, 14, 30, 60, 90, 120, 150,",
        )
    ],
    "53-cron-of-crontab": [
        (
            7,
            "environments.dev.schedule.expression",
            '"0 3 * * *" has 5 fields, not 6',
            "cron(0 3 * * ? *)",
        )
    ],
    "54-cron-without-its-word": [
        (
            7,
            "environments.dev.schedule.expression",
            '"0 3 * * MON" is not a schedule',
            "cron(0 3 ? * MON *)",
        )
    ],
    "55-cron-minute-60": [
        (
            7,
            "environments.dev.schedule.expression",
            'minutes cannot be "60"',
            "0-59, with the wildcards , - * /",
        )
    ],
    "56-cron-two-days": [
        (
            7,
            "environments.dev.schedule.expression",
            'day-of-month "*" and day-of-week "SUN": exactly one of the two must',
            "cron(0 3 ? * SUN *)",
        )
    ],
    "57-cron-day-name-in-small-letters": [
        (7, "environments.dev.schedule.expression", 'day-of-week cannot be "sun"', "SUN")
    ],
    "58-rate-without-plural": [
        (7, "environments.dev.schedule.expression", '"hour" does not go with 12', "rate(12 hours)")
    ],
    "59-rate-of-nothing": [
        (
            7,
            "environments.dev.schedule.expression",
            '"0 hours" is not a rate',
            "rate(N minutes, hours or days) with N from 1",
        )
    ],
    "60-at-no-day": [
        (
            7,
            "environments.dev.schedule.expression",
            '"2027-02-30T03:00:00" is not a moment',
            "at(yyyy-mm-ddThh:mm:ss):",
        )
    ],
    "61-unknown-timezone": [
        (
            7,
            "environments.dev.schedule.timezone",
            'there is no time zone "Europe/Berln"',
            "Europe/Berlin, if that is what you mean",
        )
    ],
    "62-url-without-encryption": [
        (
            7,
            "environments.dev.upstream.api_url",
            '"http://formulae.brew.sh/api" is not encrypted',
            "https://formulae.brew.sh/api",
        )
    ],
    "63-url-with-a-slash": [
        (
            7,
            "environments.dev.upstream.registry_url",
            '"https://ghcr.io/" ends with a slash',
            "https://ghcr.io",
        )
    ],
    "64-url-with-a-token": [
        (
            7,
            "environments.dev.upstream.registry_url",
            '"https://me:token@ghcr.io" holds credentials',
            "https://ghcr.io",
        )
    ],
    "65-url-that-is-none": [
        (
            7,
            "environments.dev.upstream.api_url",
            '"formulae.brew.sh" is not a URL',
            "https://host/path",
        )
    ],
    "66-key-file-that-is-not-there": [
        (
            7,
            "environments.dev.upstream.public_key_file",
            '"config/no-such-key.pem" cannot be read: No such file or directory',
            "the path of a PEM file, relative to the",
        )
    ],
    "67-key-file-without-a-key": [
        (
            7,
            "environments.dev.upstream.public_key_file",
            '"config/airbrew.yaml" is not a public key in PEM',
            "a file that begins with -----BEGIN PUBLIC",
        )
    ],
    "68-bucket-with-capitals": [
        (
            7,
            "environments.dev.mirror.bucket_name",
            '"Acme_Homebrew" has A, H, _ in it',
            "3 to 63 of a-z, 0-9 and -, a letter or digit",
        )
    ],
    "69-bucket-too-long": [
        (
            7,
            "environments.dev.mirror.bucket_name",
            '"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"',
            "3 to 63 of a-z, 0-9 and -, a letter or digit",
        )
    ],
    "70-bucket-is-an-address": [
        (
            7,
            "environments.dev.mirror.bucket_name",
            '"192.168.5.4" is an IP address',
            "3 to 63 of a-z, 0-9 and -, a letter or digit",
        )
    ],
    "71-bucket-with-a-reserved-end": [
        (
            7,
            "environments.dev.mirror.bucket_name",
            '"acme-homebrew-s3alias" has "-s3alias", which S3 keeps for itself',
            "3 to 63 of a-z, 0-9 and -, a letter or digit",
        )
    ],
    "72-bucket-shared-by-defaults": [
        (
            12,
            "defaults.mirror.bucket_name",
            '"acme-homebrew" is the bucket of dev and staging and prod',
            "a name for each, or none: the derived names",
        )
    ],
    "73-bucket-of-two-environments": [
        (
            13,
            "environments.prod.mirror.bucket_name",
            '"acme-homebrew" is the bucket of staging and prod',
            "a name for each, or none: the derived names",
        )
    ],
    "74-production-shares-its-account": [
        (
            11,
            "environments.prod.account_id",
            '"123456789012" is the account of dev and of prod',
            "another account: production shares its own",
        )
    ],
    "75-batch-too-large-for-its-time": [
        (
            7,
            "environments.dev.workflow.batch_max_mib",
            "51200 MiB do not pass in the sync worker's 900 s at 10 MiB/s",
            "9000 or less, or more",
        )
    ],
    "76-memory-too-small-for-its-transfers": [
        (
            8,
            "environments.dev.functions.sync_worker.memory_mib",
            "256 MiB are too few for 32 transfers",
            "1152 or more, or fewer",
        )
    ],
    "79-release-of-an-environment-that-is-not-there": [
        (
            11,
            "environments.prod.deploy.release_from",
            '"qa" is no other environment that has a release',
            "dev, staging or null",
        )
    ],
    "77-seven-at-once": [
        (
            2,
            "project.name",
            '"Airbrew" is not a name of 2 to 20 of a-z, 0-9 and -, a letter first',
            "a name of 2 to 20 of a-z, 0-9 and -, a",
        ),
        (3, "project.owner", 'unknown key "owner"', "one of name"),
        (
            5,
            "defaults.region",
            '"mars-north-1" is none of the values that are known here',
            '"eu-north-1", if that is what you mean',
        ),
        (
            7,
            "defaults.workflow.max_concurrency",
            "0 is less than 1",
            "a whole number from 1 to 1000, for example 8",
        ),
        (8, "environments.prod", "the key is missing", "a group of keys, for example {type:"),
        (
            11,
            "environments.dev.account_id",
            "123456789012 is not text",
            '"123456789012", in quotes',
        ),
        (
            13,
            "environments.staging.type",
            '"stage" is none of the values that are known here',
            '"staging", if that is what you mean',
        ),
    ],
    "78-six-meanings-at-once": [
        (
            5,
            "defaults.schedule.expression",
            'day-of-month "*" and day-of-week "MON": exactly one of the two must',
            "cron(0 25 ? * MON *)",
        ),
        (
            5,
            "defaults.schedule.expression",
            'hours cannot be "25"',
            "0-23, with the wildcards , - * /",
        ),
        (
            6,
            "defaults.schedule.timezone",
            'there is no time zone "Mars/Olympus"',
            "a name such as Europe/Berlin",
        ),
        (
            12,
            "environments.dev.upstream.registry_url",
            '"http://ghcr.io/" ends with a slash',
            "http://ghcr.io",
        ),
        (
            12,
            "environments.dev.upstream.registry_url",
            '"http://ghcr.io/" is not encrypted',
            "https://ghcr.io/",
        ),
        (
            16,
            "environments.staging.mirror.bucket_name",
            '"acme.homebrew" has . in it',
            "3 to 63 of a-z, 0-9 and -, a letter or digit",
        ),
        (
            19,
            "environments.prod.account_id",
            '"123456789012" is the account of dev and of prod',
            "another account: production shares its own",
        ),
    ],
}


def told(text: str) -> list[tuple[int, str, str, str]]:
    """The problems in what was printed: line, path, problem, remedy."""
    found = re.findall(
        r"^\S+?\.yaml:(\d+)  (?:([\w.]+): )?(.*)\n    write: (.*)$", text, re.MULTILINE
    )
    return [(int(line), path, problem, remedy) for line, path, problem, remedy in found]


def test_there_is_an_expectation_for_every_broken_file():
    assert sorted(BROKEN) == sorted(path.stem for path in BROKEN_DIR.iterdir())


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_is_refused_with_line_path_and_remedy(inv, name):
    ended = inv("config.validate", "--config", str(BROKEN_DIR / f"{name}.yaml"))

    found = told(ended.err)
    assert ended.code == 2
    assert "Traceback" not in ended.err
    assert ended.out == ""
    assert [each[:2] for each in found] == [each[:2] for each in BROKEN[name]]
    for (_, _, problem, remedy), (_, _, its_problem, its_remedy) in zip(
        found, BROKEN[name], strict=True
    ):
        assert problem.startswith(its_problem)
        assert remedy.startswith(its_remedy)


@pytest.mark.parametrize("name", ["05-tab", "13-alias-bomb", "77-seven-at-once"])
def test_so_does_the_command_itself(name):
    file = f"tests/data/broken-configurations/{name}.yaml"

    ended = subprocess.run(
        [sys.executable, "-m", "invoke", "config.validate", "--config", file],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )

    assert ended.returncode == 2
    assert "Traceback" not in ended.stderr
    assert [each[:2] for each in told(ended.stderr)] == [each[:2] for each in BROKEN[name]]


def test_an_error_names_the_file_as_one_would_type_it(inv):
    ended = inv("config.validate", "--config", str(BROKEN_DIR / "35-too-large.yaml"))

    assert ended.err == (
        "error: 1 problem in tests/data/broken-configurations/35-too-large.yaml\n"
        "tests/data/broken-configurations/35-too-large.yaml:7"
        "  environments.dev.workflow.max_concurrency: 100000 is more than 1000\n"
        "    write: a whole number from 1 to 1000, for example 8\n"
    )


def test_a_file_that_is_not_there_is_bad_input(inv, tmp_path):
    ended = inv("config.validate", "--config", str(tmp_path / "none.yaml"))

    assert ended.code == 2
    assert 'none.yaml" cannot be read: No such file or directory' in ended.err
    assert "--config" in ended.err


def test_the_configuration_of_this_repository_is_right(inv):
    ended = inv("config.validate")

    assert (ended.code, ended.err) == (0, "")
    assert ended.out == "config/airbrew.yaml is right: dev, staging, prod\n"


def test_show_tells_each_value_with_the_line_it_comes_from(inv, tmp_path):
    file = tmp_path / "airbrew.yaml"
    file.write_text(
        "project:\n  name: acme\n"
        "defaults:\n  region: eu-central-1\n"
        "environments:\n  dev:\n    type: development\n    logs:\n      retention_days: 3\n"
        "  staging:\n    type: staging\n  prod:\n    type: production\n"
    )

    ended = inv("config.show", "--env", "dev", "--config", str(file))

    rows = {line.split()[0]: line.split()[1:] for line in ended.out.splitlines()}
    assert ended.code == 0
    assert rows["region"] == ["eu-central-1", f"{file}:4", "(defaults)"]
    assert rows["logs.retention_days"] == ["3", f"{file}:9", "(environment)"]
    assert rows["workflow.max_concurrency"] == ["2", "config/schema.yaml", "(type)"]
    assert rows["schedule.timezone"] == ["UTC", "config/schema.yaml", "(schema)"]


def test_show_as_json_is_one_document_and_nothing_else(inv):
    ended = inv("config.show", "--env", "staging", "--json")

    shown = json.loads(ended.out)
    assert ended.err == ""
    assert shown["name"] == "staging"
    assert shown["settings"]["workflow"]["max_concurrency"] == 4
    assert shown["origins"]["workflow.max_concurrency"]["kind"] == "type"


@pytest.mark.parametrize(
    ("env", "remedy"),
    [("prd", "--env prod, if that is what you mean"), ("", "--env with one of dev, staging, prod")],
)
def test_an_environment_that_is_not_there_is_bad_input(inv, env, remedy):
    ended = inv("config.show", *(["--env", env] if env else []))

    assert ended.code == 2
    assert remedy in ended.err


def test_the_reference_page_is_current(inv):
    ended = inv("config.docs", "--check")

    assert (ended.code, ended.err) == (0, "")


def test_a_page_that_is_not_current_is_told_and_mended(inv, tmp_path, monkeypatch):
    page = ROOT / "docs" / "reference" / "configuration.md"
    stale = tmp_path / "configuration.md"
    stale.write_text(page.read_text().replace("whole number, 1 to 1000", "any number"))
    monkeypatch.setattr("delivery.config.reference.PAGE", stale)

    checked, written = inv("config.docs", "--check"), inv("config.docs")

    assert checked.code == 1
    assert checked.err == f"error: {stale} is not current; write it: inv config.docs\n"
    assert written.code == 0
    assert stale.read_text() == page.read_text()

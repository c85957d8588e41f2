"""The status page in a real browser: with and without JavaScript, narrow, and in the dark."""

from __future__ import annotations

import html
import re
import shutil
import subprocess
from datetime import UTC, datetime, timedelta

import pytest

from delivery.cloud import Cloud
from delivery.mirror.serving import serving
from mirror import status
from mirror.bottles import Bottle
from mirror.bucket import Bucket
from mirror.casks import CaskFile
from mirror.connections import Connections
from mirror.fetching import Fetcher
from mirror.plans import Plan
from mirror.registry import Registry
from mirror.settings import About, Selection, Settings, Upstream
from tests.conftest import needed

TAGS = ("arm64_tahoe", "arm64_sequoia")
UPSTREAM = Upstream("https://example.org/api", "https://example.org", "")
SELECTION = Selection(TAGS, ("*",), include_dependencies=True)
ATTACK = "<script>document.title='taken over'</script><img src=x onerror=\"document.title='2'\">"
PATIENCE_SECONDS = 60


def bottles(formulae, week):
    """Bottles of so many formulae, one of each for each platform."""
    names = ["jq", "openssl@3", *(f"formula-{number}" for number in range(formulae))][:formulae]
    return tuple(
        Bottle(name, f"{week}.{at}", 0, tag, f"{at:064x}", 10_000 * (at + week))
        for at, name in enumerate(names)
        for tag in TAGS
    )


class Mirror:
    """A bucket that was published some times, behind a local URL."""

    def __init__(self, s3, fetcher):
        s3.create_bucket(Bucket="mirror")
        self.bucket = Bucket(s3, "mirror")
        self._registry, self._fetcher = Registry(UPSTREAM.registry_url, fetcher), fetcher

    def publish(
        self, *, formulae=3, weeks_ago=0, public_url="", description="a JSON processor", casks=()
    ):
        settings = Settings(UPSTREAM, SELECTION, 20, 64, 4, about=About("acme", "prod", public_url))
        connections = Connections(settings, self.bucket, self._fetcher, self._registry)
        when = datetime.now(UTC) - timedelta(weeks=weeks_ago)
        sync = when.strftime("%Y-%m-%dT%H%M%SZ")
        held = bottles(formulae, 100 - weeks_ago)
        entries = {"jq": {"desc": description}}
        files = tuple(CaskFile(token, "145.0", "https://v/f.dmg", "0" * 64, 1) for token in casks)
        told = {"formulae": entries, "casks": {token: {"desc": description} for token in casks}}
        for tag in TAGS:
            key = f"syncs/{sync}/api/internal/packages.{tag}.jws.json"
            self.bucket.write_json(key, {"payload": status.json.dumps(told)})
        plan = Plan(sync, SELECTION.as_json(), formulae, held, 0, (), (), {}, (), casks=files)
        status.write(connections, plan, {"default": plan.sync}, when)

    def forbid_scripts(self):
        """Let the page's own policy keep a browser from running its script.

        Chromium dumps no DOM at all when scripts are switched off as a whole.
        """
        page = self.bucket.read("index.html").decode()
        page, count = re.subn("script-src 'sha256-[^']*'", "", page)
        assert count == 1
        self.bucket.write("index.html", page.encode(), "text/html; charset=utf-8")


@pytest.fixture
def mirror(s3):
    fetcher = Fetcher()
    yield Mirror(s3, fetcher)
    fetcher.close()


@pytest.fixture
def url(mirror):
    cloud = Cloud("AWS", "123456789012", "us-east-1", variables={})
    with serving(cloud, "mirror") as served:
        yield served


@pytest.fixture(scope="session")
def chromium():
    # Ubuntu has the one where Debian has the other.
    return shutil.which("google-chrome") or needed("chromium")


@pytest.fixture(scope="session")
def profile(tmp_path_factory):
    """The browser's own folder, made once: that takes longer than showing a page."""
    return tmp_path_factory.mktemp("profile")


@pytest.fixture
def browse(chromium, profile):
    """Opens a page in a headless browser; returns its DOM as the scripts left it, as text."""

    def browse(url, *flags):
        command = [
            *(chromium, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic"),
            *("--no-first-run", "--disable-background-networking", "--disable-component-update"),
            *("--disable-sync", f"--user-data-dir={profile}", "--dump-dom"),
            *("--virtual-time-budget=4000", *flags, url),
        ]
        ended = subprocess.run(
            command, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=True
        )
        return ended.stdout

    return browse


def text_of(dom, element_id):
    """What a reader sees in one element."""
    found = re.search(rf'id="{element_id}"[^>]*>(.*?)</(?:p|span|code|ul|section)>', dom, re.S)
    return html.unescape(re.sub(r"<[^>]+>", " ", found.group(1))).strip()


def listed(dom):
    """The names of the formulae that are shown."""
    items = re.findall(r"<li(?: [^>]*)?>.*?</li>", dom, re.S)
    return [
        re.search(r'class="name">([^<]*)', item).group(1)
        for item in items
        if 'hidden=""' not in item.partition(">")[0]
    ]


def test_a_mac_is_pointed_at_the_address_of_the_page(mirror, url, browse):
    mirror.publish()

    lines = text_of(browse(url), "lines")

    assert lines.splitlines() == [
        f"export HOMEBREW_API_DOMAIN={url}/api",
        f"export HOMEBREW_ARTIFACT_DOMAIN={url}",
        "export HOMEBREW_ARTIFACT_DOMAIN_NO_FALLBACK=1",
        "export HOMEBREW_DOCKER_REGISTRY_BASIC_AUTH_TOKEN=none",
    ]


def test_a_configured_address_is_the_one_that_is_shown(mirror, url, browse):
    mirror.publish(public_url="https://brew.example.com")

    assert "ARTIFACT_DOMAIN=https://brew.example.com\n" in text_of(browse(url), "lines")


def test_without_javascript_the_essentials_are_there(mirror, url, browse):
    mirror.publish()
    mirror.forbid_scripts()

    dom = browse(url)

    assert "ARTIFACT_DOMAIN=https://YOUR-MIRROR\n" in text_of(dom, "lines")
    assert re.fullmatch(r"\d+ \w+ \d{4}, \d\d:\d\d UTC", text_of(dom, "published"))
    assert listed(dom) == ["formula-0", "jq", "openssl@3"]


@pytest.mark.parametrize(
    ("weeks_ago", "told"),
    [(0, "Fresh: published just now"), (2, "A sync was missed"), (5, "Stale: published 35 days")],
)
def test_the_age_is_told_in_words(mirror, url, browse, weeks_ago, told):
    mirror.publish(weeks_ago=weeks_ago)

    assert text_of(browse(url), "freshness").startswith(told)


def test_a_mirror_that_upstream_had_no_news_for_is_fresh(mirror, url, browse):
    mirror.publish(weeks_ago=5)
    status.write_checked(mirror.bucket, datetime.now(UTC) - timedelta(hours=5))

    assert text_of(browse(url), "freshness").startswith("Fresh: checked 5 hours ago, published 35")


def test_the_search_finds_by_name_version_and_description(mirror, url, browse):
    mirror.publish(formulae=5)

    by_name, by_description = browse(f"{url}/?q=openssl"), browse(f"{url}/?q=JSON+processor")

    assert listed(by_name) == ["openssl@3"]
    assert listed(by_description) == ["jq"]
    assert text_of(by_name, "found") == "1 of 5 formulae"


@pytest.mark.parametrize("formulae", [3, 500], ids=["inlined", "looked up"])
def test_the_search_finds_casks_too(mirror, url, browse, formulae):
    mirror.publish(formulae=formulae, casks=("firefox", "zoom"), description=ATTACK)

    dom = browse(f"{url}/?q=firefox")

    shown = re.search(r'<ul[^>]*id="casks".*?</ul>', dom, re.DOTALL)[0]
    assert re.search(r"<li>.*firefox", shown)
    assert re.search(r'<li hidden="">.*zoom', shown)
    assert "<h3>Casks (2)</h3>" in dom
    assert text_of(dom, "casks-found") == "1 of 2 casks"


def test_the_search_finds_every_cask_of_a_large_mirror(mirror, url, browse):
    mirror.publish(casks=tuple(f"cask-{number:04}" for number in range(1_000)))

    idle, found = browse(url), browse(f"{url}/?q=cask-0999")
    many = browse(f"{url}/?q=cask-05")

    shown = [re.search(r'id="casks".*?</ul>', dom, re.DOTALL)[0] for dom in (idle, found, many)]
    assert [each.count("<li>") for each in shown] == [400, 1, 100]
    assert "cask-0999" in shown[1]
    assert text_of(idle, "casks-found").startswith("and 600 more")
    assert text_of(found, "casks-found") == "1 of 1000 casks"
    assert text_of(many, "casks-found") == "100 of 1000 casks"


def test_a_large_mirror_s_formulae_are_looked_up_when_asked_for(mirror, url, browse):
    mirror.publish(formulae=8_500)

    idle, found = browse(url), browse(f"{url}/?q=formula-849")

    assert listed(idle) == []
    assert len(idle.encode()) < 40_000
    assert listed(found)[0] == "formula-849"
    assert text_of(found, "found").endswith("of 8500 formulae")


def test_a_large_mirror_without_javascript_links_to_the_list(mirror, url, browse):
    mirror.publish(formulae=500)
    mirror.forbid_scripts()

    dom = browse(url)

    assert text_of(dom, "plain").startswith("The whole list: ")
    assert ' href="status/formulae.json"' in dom


@pytest.mark.parametrize("formulae", [3, 500], ids=["inlined", "looked up"])
def test_what_upstream_writes_is_shown_and_never_run(mirror, url, browse, formulae):
    mirror.publish(formulae=formulae, description=ATTACK)

    dom = browse(f"{url}/?q=jq")

    assert "<title>Homebrew mirror acme · prod</title>" in dom
    assert "&lt;script&gt;document.title=" in dom
    assert dom.count("<script") == 1
    assert "<img" not in dom


def test_the_page_asks_no_other_host_and_runs_no_other_script(mirror, url, browse):
    mirror.publish()

    dom = browse(url)

    policy = html.unescape(re.search(r'Policy" content="([^"]*)"', dom).group(1))
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    assert re.findall(r'(?:src|href)="(?!#|data:|status/|snapshots/)([^"]*)"', dom) == []


LOOKS = {
    "light": ("1200,1600",),
    "dark": ("1200,1600", "--blink-settings=preferredColorScheme=0"),
    "narrow": ("360,3600",),
}


@pytest.mark.parametrize("look", LOOKS.values(), ids=LOOKS)
def test_it_can_be_looked_at(mirror, url, browse, look, tmp_path):
    for weeks_ago in range(6, -1, -1):
        mirror.publish(formulae=20 - weeks_ago, weeks_ago=weeks_ago)
    picture = tmp_path / "page.png"
    size, *flags = look

    browse(url, f"--window-size={size}", f"--screenshot={picture}", *flags)

    assert picture.read_bytes().startswith(b"\x89PNG")
    assert picture.stat().st_size > 10_000

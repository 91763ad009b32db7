"""The Content-Security-Policy: in every page, and it holds in the browser.

That no page breaks it by itself is told by test_requests.py: the browser would say so.
"""

import pytest

WAYS = ["http", "file"]


@pytest.fixture
def attacked(new_context, site):
    """Opens a page and notes which of the policy's rules were broken on it."""

    def open_page(way, path="resources/understanding-lstm-networks.html"):
        page = new_context().new_page()
        page.add_init_script(
            "window.refused = []; document.addEventListener('securitypolicyviolation',"
            " event => refused.push(event.effectiveDirective))"
        )
        page.goto((site.url if way == "http" else site.folder.as_uri() + "/") + path)
        return page

    return open_page


def test_every_page_has_it_before_anything_that_runs(site):
    for path in site.opened_pages:
        head = site.html(path).find("head")
        (meta,) = head.xpath("meta[@http-equiv='Content-Security-Policy']")
        before = [element.tag for element in head if element.tag in ("script", "link", "style")]
        assert list(head).index(meta) == 0, f"{path}: {before} come before the policy"
        rules = dict(rule.split(" ", 1) for rule in meta.get("content").split("; "))
        assert rules["default-src"] == "'none'"
        assert "unsafe" not in rules["script-src"]
        for rule, sources in rules.items():
            for source in sources.split():
                assert source.startswith("'") or source == "data:", f"{path}: {rule} {source}"
        assert "data:" not in rules["script-src"]
        assert "data:" not in rules["frame-src"]


def test_no_page_has_a_handler_or_an_address_that_runs(site):
    for path in site.opened_pages:
        html = site.html(path)
        handlers = html.xpath("//*[@*[starts-with(name(), 'on')]]")
        assert not handlers, f"{path}: {handlers[0].attrib}"
        addresses = html.xpath("//*[starts-with(@href, 'javascript:')]")
        assert not addresses, f"{path}: {addresses[0].attrib}"


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("attack", "rule"),
    [
        ("const s = document.createElement('script'); s.textContent = 'window.hurt = 1';"
         "document.body.append(s)", "script-src-elem"),
        ("document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=\"window.hurt = 1\">')",
         "script-src-attr"),
        ("const a = document.createElement('a'); a.href = 'javascript:hurt = 1'; a.click()",
         "script-src-elem"),
        ("const s = document.createElement('script'); s.src = 'https://other.example/x.js';"
         "document.body.append(s)", "script-src-elem"),
        ("const i = new Image(); i.src = 'https://other.example/x.png'", "img-src"),
        ("fetch('https://other.example/').catch(() => 0)", "connect-src"),
        ("const f = document.createElement('iframe'); f.src = 'https://other.example/';"
         "document.body.append(f)", "frame-src"),
        ("const b = document.createElement('base'); b.href = 'https://other.example/';"
         "document.head.append(b)", "base-uri"),
    ],
)  # fmt: skip
def test_an_attack_is_refused(attacked, way, attack, rule):
    page = attacked(way)
    page.evaluate(f"() => {{ {attack} }}")
    page.wait_for_function(f"() => refused.includes('{rule}')")
    page.wait_for_timeout(100)
    assert page.evaluate("window.hurt") is None

"""Each block of code gets its own button, which names the code that it copies."""

import lxml.html

from readinglist.pages.finishing import add_copy_buttons

BLOCK = '<div class="highlight"><pre><span></span><code{}>{}</code></pre></div>'


def test_each_button_names_the_code_beside_it():
    html = add_copy_buttons(BLOCK.format("", "first") + "<p>text</p>" + BLOCK.format("", "second"))
    page = lxml.html.fromstring(f"<div>{html}</div>")
    targets = [b.get("data-clipboard-target") for b in page.xpath("//pre//button")]
    copied = [page.get_element_by_id(target.removeprefix("#")) for target in targets]
    assert [code.text_content() for code in copied] == ["first", "second"]
    assert [pre.text_content() for pre in page.xpath("//pre")] == ["first", "second"]


def test_what_the_code_carries_stays():
    html = add_copy_buttons(BLOCK.format(' tabindex="0"', "a &lt; b"))
    (code,) = lxml.html.fromstring(html).xpath("//code")
    assert code.get("tabindex") == "0"
    assert code.text_content() == "a < b"


def test_other_text_stays_as_it_is():
    html = "<p><code>inline</code></p><pre>plain</pre>"
    assert add_copy_buttons(html) == html

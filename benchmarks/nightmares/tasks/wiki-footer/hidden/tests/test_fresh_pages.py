from moss_wiki import Wiki


def make(**pages):
    wiki = Wiki()
    for title, text in pages.items():
        wiki.edit(title, text)
    return wiki


def test_change_two_includes_away():
    wiki = make(Address="Mill Lane 1", Footer="{{include Address}}", Home="Hello\n{{include Footer}}")
    assert wiki.renderer.render("Home") == "<p>Hello</p>\n<p>Mill Lane 1</p>"
    wiki.edit("Address", "Mill Lane 2")
    assert wiki.renderer.render("Home") == "<p>Hello</p>\n<p>Mill Lane 2</p>"


def test_included_page_appears_later():
    wiki = make(Home="{{include Footer}}")
    assert wiki.renderer.render("Home") == '<p class="missing">Footer</p>'
    wiki.edit("Footer", "Moss Ltd")
    assert wiki.renderer.render("Home") == "<p>Moss Ltd</p>"


def test_included_page_is_deleted_and_written_again():
    wiki = make(Footer="Moss Ltd", Home="{{include Footer}}")
    assert wiki.renderer.render("Home") == "<p>Moss Ltd</p>"
    wiki.store.delete("Footer")
    assert wiki.renderer.render("Home") == '<p class="missing">Footer</p>'
    wiki.edit("Footer", "Fern Ltd")
    assert wiki.renderer.render("Home") == "<p>Fern Ltd</p>"


def test_included_page_is_renamed():
    wiki = make(Footer="Moss Ltd", Home="{{include Footer}}\n{{include Imprint}}")
    assert wiki.renderer.render("Home") == '<p>Moss Ltd</p>\n<p class="missing">Imprint</p>'
    wiki.store.rename("Footer", "Imprint")
    assert wiki.renderer.render("Home") == '<p class="missing">Footer</p>\n<p>Moss Ltd</p>'


def test_included_redirect_gets_another_target():
    wiki = make(Old="1999", New="2020", Year="#redirect Old", Home="{{include Year}}")
    assert wiki.renderer.render("Home") == "<p>1999</p>"
    wiki.edit("Year", "#redirect New")
    assert wiki.renderer.render("Home") == "<p>2020</p>"


def test_link_to_a_page_that_is_written_later():
    wiki = make(Home="See [[Rules]].")
    assert wiki.renderer.render("Home") == '<p>See <a href="/Rules" class="new">Rules</a>.</p>'
    wiki.edit("Rules", "Be kind.")
    assert wiki.renderer.render("Home") == '<p>See <a href="/Rules">Rules</a>.</p>'


def test_only_the_affected_pages_are_rendered_again():
    wiki = make(Footer="Moss Ltd", Home="{{include Footer}}", About="{{include Footer}}", Rules="Be kind.")
    for title in ("Home", "About", "Rules"):
        wiki.view(title)
    wiki.edit("Footer", "Fern Ltd")
    for title in ("Home", "About", "Rules"):
        wiki.view(title)
    assert wiki.renderer.stats["misses"] == 5
    assert wiki.renderer.stats["hits"] == 1


def test_pages_that_include_each_other():
    wiki = make(A="a\n{{include B}}", B="b\n{{include A}}")
    assert wiki.renderer.render("A") == '<p>a</p>\n<p>b</p>\n<p class="loop">A</p>'
    assert wiki.renderer.render("B") == '<p>b</p>\n<p>a</p>\n<p class="loop">B</p>'
    wiki.edit("A", "alpha")
    assert wiki.renderer.render("B") == "<p>b</p>\n<p>alpha</p>"

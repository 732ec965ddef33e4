import pytest

from moss_wiki import MissingPage, Wiki


@pytest.fixture
def wiki():
    wiki = Wiki()
    wiki.edit("Footer", "Moss Ltd, 2019")
    wiki.edit("Home", "== Welcome ==\nRead the '''rules'''.\n\n{{include Footer}}")
    wiki.edit("Rules", "Be kind & patient.")
    return wiki


def test_markup(wiki):
    assert wiki.renderer.render("home") == "<h2>Welcome</h2>\n<p>Read the <b>rules</b>.</p>\n<p>Moss Ltd, 2019</p>"


def test_document(wiki):
    assert wiki.view("Rules") == (200, "<title>Rules</title>\n<p>Be kind &amp; patient.</p>")


def test_missing_page(wiki):
    assert wiki.view("Nowhere")[0] == 404
    with pytest.raises(MissingPage):
        wiki.renderer.render("Nowhere")


def test_edited_page_is_shown(wiki):
    wiki.view("Rules")
    wiki.edit("Rules", "Be kind.")
    assert wiki.renderer.render("Rules") == "<p>Be kind.</p>"


def test_edited_footer_is_shown(wiki):
    wiki.view("Home")
    wiki.edit("Footer", "Moss Ltd, 2020")
    assert wiki.renderer.render("Home").endswith("<p>Moss Ltd, 2020</p>")


def test_second_view_comes_from_the_cache(wiki):
    wiki.view("Home")
    wiki.view("Home")
    assert wiki.renderer.stats == {"misses": 1, "hits": 1}


def test_unrelated_edits_keep_the_cache(wiki):
    wiki.view("Home")
    wiki.edit("Rules", "Be kind.")
    wiki.view("Home")
    assert wiki.renderer.stats["hits"] == 1


def test_links(wiki):
    wiki.edit("Index", "[[rules]], [[Old stuff|archive]]")
    assert wiki.renderer.render("Index") == (
        '<p><a href="/Rules">rules</a>, <a href="/Old_stuff" class="new">archive</a></p>'
    )


def test_redirect_and_log(wiki):
    wiki.edit("Start", "#redirect Home")
    assert wiki.view("start")[1].startswith("<title>Home</title>")
    assert wiki.recent_changes(1) == [(4, "save", "Start")]

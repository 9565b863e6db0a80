"""Self-contained pages of one sentence, in the browser's light or dark colors: nothing in them is fetched."""

from __future__ import annotations

from html import escape

from aiohttp import web

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="icon" href="data:,">
<style>
:root {{ color-scheme: light dark; --back: #f6f7f8; --text: #1b1f23; --button: #0b5cad; }}
@media (prefers-color-scheme: dark) {{ :root {{ --back: #16191c; --text: #e6e8ea; --button: #2f7fd1; }} }}
body {{ margin: 0; min-height: 100vh; display: grid; place-items: center; background: var(--back); color: var(--text);
  font: 1.05rem/1.5 system-ui, sans-serif; }}
main {{ max-width: 34rem; padding: 2rem; }}
h1 {{ font-size: 1.3rem; }}
a {{ display: inline-block; padding: .6rem 1.2rem; border-radius: .4rem; background: var(--button); color: #fff;
  text-decoration: none; }}
a:focus-visible {{ outline: 3px solid var(--text); outline-offset: 3px; }}
</style>
</head>
<body><main role="alert"><h1>{title}</h1><p>{sentence}</p>{button}</main></body>
</html>
"""
_HERE = '<p><a href="/?here=1">Use it here</a></p>'
FORBIDDEN = "DiffuFuseMed did not let you in"


def forbidden(given: str, wanted: str, remedy: str) -> web.Response:
    """Status 403 and one sentence."""
    return _page(FORBIDDEN, f"Given {given}, wanted {wanted}: {remedy}.", status=403)


def missing(given: str, wanted: str, remedy: str) -> web.Response:
    """Status 404 and one sentence."""
    return _page("There is nothing here", f"Given {given}, wanted {wanted}: {remedy}.", status=404)


def elsewhere() -> web.Response:
    """The case is open in another tab, which goes on undisturbed unless the button is pressed."""
    sentence = "A case can be used in one tab at a time: go back to that tab, or close it there and go on in this one."
    return _page("This case is open in another tab", sentence, _HERE)


def taken_over() -> web.Response:
    """What a tab shows whose case was taken over by another."""
    sentence = "You, or somebody else with the address, chose to use it there. Nothing was lost."
    return _page("This case was taken over by another tab", sentence, _HERE)


def bounce() -> web.Response:
    """Opens / from here: after a link on another site no SameSite=Strict cookie would come with a redirect."""
    return web.Response(
        text='<!doctype html><title>DiffuFuseMed</title><script>location.replace("/")</script>',
        content_type="text/html",
    )


def _page(title: str, sentence: str, button: str = "", status: int = 200) -> web.Response:
    text = _PAGE.format(title=escape(title), sentence=escape(sentence), button=button)
    return web.Response(text=text, content_type="text/html", status=status)

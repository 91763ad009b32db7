"""The policy of browsers, as it stands in the head of each page."""

from __future__ import annotations

from readinglist.site.head import content_policy


def test_the_policy_names_scripts_by_their_sums():
    # echo -n 'alert(1)' | openssl dgst -sha256 -binary | base64
    policy = content_policy(["alert(1)"])
    assert "script-src 'self' 'sha256-bhHHL3z2vDgxUt0W3dWQOrprscmda2Y5pLsLg4GF+pI='" in policy
    scripts = next(part for part in policy.split("; ") if part.startswith("script-src"))
    assert "unsafe" not in scripts
    assert "http" not in policy
    assert policy.startswith("default-src 'none'")

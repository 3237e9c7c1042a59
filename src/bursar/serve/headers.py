"""The headers that every answer bears: they tell a browser to trust nothing.

Errors: none.
"""

from typing import Final

Header = tuple[bytes, bytes]

SECURE: Final[tuple[Header, ...]] = (
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"x-content-type-options", b"nosniff"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
"""What every answer bears: it is no page, and no other site may show or load it."""

SECURE_PAGE: Final[tuple[Header, ...]] = (
    (
        b"content-security-policy",
        (
            b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self';"
            b" connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        ),
    ),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    *SECURE[1:],
)
"""What the page bears: it may load what is its own, and nothing else."""

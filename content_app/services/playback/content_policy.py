"""The Content-Security-Policy of pages: everything comes from this site, media also from the site's buckets."""

from content_app.services.storage.stores import media_origins


def content_policy(*, scripts: str = "'self'", styles: str = "'self'", pictures: str = "'self'") -> str:
    media = "".join(f" {origin}" for origin in media_origins())
    # hls.js plays through a blob: URL, and parses in a web worker that it starts from another one.
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src {scripts}",
            f"style-src {styles}",
            f"img-src {pictures}{media}",
            "font-src 'self'",
            f"connect-src 'self'{media}",
            f"media-src 'self' blob:{media}",
            "worker-src 'self' blob:",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'self'",
        )
    )

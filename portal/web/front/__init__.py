"""What the portal does together with the proxy in front: visits, static files that are kept, requests that are too large."""

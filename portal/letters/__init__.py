"""See portal/app.py: every module here is found by itself."""

"""Reading of uploaded files: workbooks and CSV, as streams, within limits."""

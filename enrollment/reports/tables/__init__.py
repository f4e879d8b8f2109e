"""Reports: one definition gives the page, the spreadsheet and the CSV file."""

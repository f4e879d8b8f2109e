"""One module for each group of job kinds; `runner.load_handlers` imports all of them."""

"""The browser host: trame-slicer widgets and the server that shows them."""

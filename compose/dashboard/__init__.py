"""A page that shows what there is in a server: plain HTML and a little script, and the numbers that it asks for."""

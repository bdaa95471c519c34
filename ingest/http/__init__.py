"""HTTP as every route needs it: bodies within limits, query parameters, answers and errors in one shape."""

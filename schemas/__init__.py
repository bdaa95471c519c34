"""What crosses a boundary: ids, vectors, filters, configuration, records, requests. No I/O."""

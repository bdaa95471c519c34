from faust.types.tuples import TP as TP

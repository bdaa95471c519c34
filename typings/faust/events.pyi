from faust.types.tuples import ConsumerMessage

class Event:
    message: ConsumerMessage

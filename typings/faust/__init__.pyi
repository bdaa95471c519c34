from faust.app import App as App
from faust.events import Event as Event
from faust.streams import Stream as Stream
from faust.topics import Topic as Topic

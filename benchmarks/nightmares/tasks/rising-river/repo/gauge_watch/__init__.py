"""River gauges: from a feed to alarms."""

from gauge_watch.alarms import Alarm
from gauge_watch.feed import Feed
from gauge_watch.stations import Station
from gauge_watch.watching import watch

__all__ = ["Alarm", "Feed", "Station", "watch"]

"""Live updates: what changed in a service's database, told to the members who are looking.

One change stream per process while someone listens (`feed`), handed out to one bounded queue per open stream
(`listeners`), written as server-sent events (`sse`). A collection that is followed keeps three habits:

- `_id` is `key(member_number, id)`, so that a change names its owner without another read;
- `updated_at` is the database server's clock (`$currentDate` or `$$NOW`), set by every write a member should see;
- an index on (`member_number`, …, `updated_at`), for streams that come back.
"""

from shared.live.http import router
from shared.live.hub import Live, LiveLimits
from shared.live.keys import key, parts
from shared.live.listeners import Change
from shared.live.sse import EventStream

__all__ = ["Change", "EventStream", "Live", "LiveLimits", "key", "parts", "router"]

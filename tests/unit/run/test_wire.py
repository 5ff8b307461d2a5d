"""Messages survive however they are cut up."""

from hypothesis import given
from hypothesis import strategies as st

from pivot.run.wire import Inbox, encode

messages = st.lists(st.dictionaries(st.text(), st.text() | st.integers()))


@given(messages, st.lists(st.integers(0, 200)))
def test_messages_survive_any_cutting(sent, cuts):
    stream = b"".join(map(encode, sent))
    inbox, received, start = Inbox(), [], 0
    for end in [*sorted(min(cut, len(stream)) for cut in cuts), len(stream)]:
        received += inbox.feed(stream[start:end])
        start = end
    assert received == sent

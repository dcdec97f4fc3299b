from typing import Dict
import re
from collections import Counter


def words(text: str) -> Dict[str, int]:
    """How often each word occurs, ignoring case and punctuation.
    >>> words("To be, or not to be.")
    {'to': 2, 'be': 2, 'or': 1, 'not': 1}
    """
    return dict(Counter(re.findall(r"[a-z]+", text.lower())))


# --- tests ---
assert words("To be, or not to be.") == {"to": 2, "be": 2, "or": 1, "not": 1}
assert words("") == {}
assert words("...!") == {}
assert words("one") == {"one": 1}
assert words("A a! a? B") == {"a": 3, "b": 1}

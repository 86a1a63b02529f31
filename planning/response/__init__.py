"""Response circles: how soon vehicles from stations reach every place, and who goes there first."""

from planning.response.circles import ResponseResult, response_circles
from planning.response.promise import Promise, promise_of
from planning.response.times import Times, two_first

__all__ = ["Promise", "ResponseResult", "Times", "promise_of", "response_circles", "two_first"]

"""What the hub needs from outside, in its own words: `engine` for exchanges, `office` for what people do; drivers provide it.

Every method that writes returns only when the write is durable. A driver raises errors of lgsp.errors and no others; a store that cannot
write raises Fault("record-unavailable").
"""

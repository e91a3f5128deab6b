"""What a sender is: packets with times, drawn at random; and the table of families that the other files fill."""
import collections
import random

Packet = collections.namedtuple("Packet", "time timestamp marker type size padding", defaults=(False,))


class Sent:
    """One stream as it leaves its sender. `flow` tells the 5-tuples of a session apart, `back` the two directions."""

    def __init__(self, media, codec, packets, flow=0, back=False, extension=0, doubled=0.0, step=None, attack=False):
        self.media, self.codec, self.packets, self.flow, self.back, self.extension = (
            media,
            codec,
            packets,
            flow,
            back,
            extension,
        )
        self.doubled = doubled  # s until the same packet is captured again
        self.step = step  # (packet, s): the capturing host's clock is set
        self.attack = attack  # the capture lies: unknown is as good an answer as the right one


class Draw(random.Random):
    """Random draws of one half: the design half takes the values written, the report half what lies around them."""

    def __init__(self, seed, half):
        super().__init__(seed)
        self.half = half

    def near(self, values):
        """Of a quantity that may have any value: a bitrate, a size, a share."""
        value = self.choice(values)
        return value if self.half == "design" else type(value)(value * self.uniform(0.75, 1.35))

    def type(self):
        return self.randint(96, 127)


FAMILIES = {}


def family(name):
    def keep(make):
        FAMILIES[name] = make
        return make

    return keep

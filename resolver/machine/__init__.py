"""The host: what machine this program runs on."""

from resolver.machine.detect import detect
from resolver.machine.probe import HostProbe, Probe

__all__ = ["HostProbe", "Probe", "detect"]

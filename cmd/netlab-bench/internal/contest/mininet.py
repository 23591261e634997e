# One bridge and as many hosts as the argument says. Prints the process that holds
# each host's namespaces, on a line, and stops when its input ends.
import sys

from mininet.log import setLogLevel
from mininet.net import Mininet
from mininet.nodelib import LinuxBridge
from mininet.topo import SingleSwitchTopo

setLogLevel("critical")
net = Mininet(topo=SingleSwitchTopo(int(sys.argv[1])), switch=LinuxBridge, controller=None)
net.start()
print(*[host.pid for host in net.hosts], flush=True)
sys.stdin.read()
net.stop()

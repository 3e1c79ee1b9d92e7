"""The internal systems, simulated: enrolments and a steady flow of realistic claims, the same for the same seed.

population(seed, n)       the members, as MemberEnrolled
claims(seed, members)     an endless flow of events about their claims
history(seed, members)    a year of past claims
Publisher                 puts events into Kafka
demo.load(environment)    a small population with its past, for trying out
"""

from deploy.cli.publisher import Publisher
from deploy.simulator.flow import claims, history
from deploy.simulator.people import enrolled, population

__all__ = ["Publisher", "claims", "enrolled", "history", "population"]

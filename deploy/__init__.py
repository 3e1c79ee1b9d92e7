"""Everything that runs the portal: topology, provisioning, native stack, command line, simulator."""

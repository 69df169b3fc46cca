"""Ways to reach a phone, one file each; who carries texts and calls; several carriers as one."""

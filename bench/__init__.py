"""The workloads of speed: how quick the shop is, measured beside two floors in the same run."""

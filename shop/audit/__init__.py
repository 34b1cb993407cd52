"""The audit desk: reads everything, changes nothing."""

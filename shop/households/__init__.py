"""The register of households at three desks: the cooperative's, the office's, the helpers'."""

"""The learned labels: base encoder, network, inference, calibration and fine-tuning."""

"""Codes for people: QR codes and barcodes, as SVG and PNG."""

"""Geodesy, frames and the conversions between them, WGS-84."""

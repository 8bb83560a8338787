"""Plots to national tracks: initiation, association, filter, batch solve."""

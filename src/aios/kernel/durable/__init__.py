"""Durable programs: run again after a crash, told what they were told, and gone on from there."""

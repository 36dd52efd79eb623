"""Webhooks of the emulator: events, their schedule, and their signed delivery."""

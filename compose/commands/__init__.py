"""The commands of ``headwater``, a module for each command or group of commands.

Modules hold flags and what is printed; they import what does the work only when a command runs, so that each command
starts without the libraries of the others.
"""

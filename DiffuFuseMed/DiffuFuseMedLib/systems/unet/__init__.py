"""Plain U-Nets whose draws differ: dropout that stays on, or several networks. What CalDiff is compared with."""

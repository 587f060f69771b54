"""`make demo`: two nodes and a simulated charger run the whole smart-charging loop over real protocols."""

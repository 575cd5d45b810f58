"""What people look at: pages, and the pictures, plots and words that they are made of."""

"""A visitor's taste, from the products that they viewed, bought, liked and hid; imports events and products."""

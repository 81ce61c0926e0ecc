"""How each network is trained: one package a recipe, all behind `recipe.Recipe`; imported by the train command only."""

"""The paper's studies: cells of one method, its settings and a seed, and reports that code writes from them."""

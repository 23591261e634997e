package main

import "slices"

// nearest is the name that is the fewest typing mistakes away, if that is few
// enough to be meant; otherwise empty.
func nearest(typed string, names []string) string {
	best, least := "", max(2, len(typed)/3)+1
	for _, name := range names {
		if d := mistakes(typed, name); d < least {
			best, least = name, d
		}
	}
	return best
}

// byNearness is the names, those first that are the fewest typing mistakes away; of
// as many mistakes, in their own order.
func byNearness(typed string, names []string) []string {
	away := make(map[string]int, len(names))
	for _, name := range names {
		away[name] = mistakes(typed, name)
	}
	return slices.SortedStableFunc(slices.Values(names), func(a, b string) int { return away[a] - away[b] })
}

// mistakes counts the letters to insert, delete, replace or swap with a
// neighbour to get from a to b (optimal string alignment).
func mistakes(a, b string) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			differ := 1
			if a[i-1] == b[j-1] {
				differ = 0
			}
			rows[i][j] = min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+differ)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}

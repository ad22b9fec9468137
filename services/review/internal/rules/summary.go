package rules

// points are what stars are worth in Guangdong's cities, for 1 to 5 stars.
var points = [5]int64{0, 3, 6, 8, 10}

// Summary is reviews added up.
type Summary struct {
	// ByStars counts reviews with 1 to 5 stars.
	ByStars [5]int64
}

// Size is how many reviews there are.
func (s Summary) Size() int64 {
	var n int64
	for _, c := range s.ByStars {
		n += c
	}
	return n
}

// AverageStars is the mean of the stars in hundredths, half up; false without
// reviews.
func (s Summary) AverageStars() (int64, bool) {
	var sum int64
	for i, c := range s.ByStars {
		sum += int64(i+1) * c
	}
	return hundredths(sum, s.Size())
}

// AveragePoints is the mean of the points in hundredths, half up.
func (s Summary) AveragePoints() (int64, bool) {
	var sum int64
	for i, c := range s.ByStars {
		sum += points[i] * c
	}
	return hundredths(sum, s.Size())
}

// Satisfaction is the share of reviews with 3 stars or more in hundredths of a
// percent, half up (好评率).
func (s Summary) Satisfaction() (int64, bool) {
	return hundredths(100*(s.ByStars[2]+s.ByStars[3]+s.ByStars[4]), s.Size())
}

// hundredths divides and rounds half up, in whole numbers: the same figures must
// come out wherever they are recounted.
func hundredths(sum, n int64) (int64, bool) {
	if n == 0 {
		return 0, false
	}
	return (200*sum + n) / (2 * n), true
}

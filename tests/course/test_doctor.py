from dnlib.zoo import provenance


def test_the_doctor_names_what_is_broken(monkeypatch):
    from dnlib.course import doctor

    monkeypatch.setattr(doctor, "version", lambda name: "0.0.1")
    monkeypatch.setattr(doctor.sys, "version_info", (3, 9, 1))
    findings = {finding.what: finding for finding in doctor.examine()}
    assert findings["Python"].state == "broken" and "3.11" in findings["Python"].found
    assert findings["scikit-image"].state == "broken" and ">=0.26" in findings["scikit-image"].found
    assert findings["datasets"].state == "limited"
    assert provenance.machine() in findings["device"].found or "CUDA" in findings["device"].found

/// Private keys that are not used here, or are none.
enum Refused {
    static let all: [(name: String, pem: String)] = [
        (
            "RSA of 1024 bits",
            """
            -----BEGIN PRIVATE KEY-----
            MIICdwIBADANBgkqhkiG9w0BAQEFAASCAmEwggJdAgEAAoGBAL8DfTsZv+ZN4Z1f
            RYfK8IE7HsBbVjdj+984e1PEFUAFYLtjZMbjQHptBqce/mXLgfDnP0RKB7wY7PFn
            zdFAlA5t7JBhX9yEcsuBJqQYopyhjjgqHOFU5S73P+0BW2IYTvi2LcxV6sJ6V5Rx
            FbwwORlssvgeoEWjgtur9i7PpZdJAgMBAAECgYBDZCXAvjr4NC4PadeMK0tjLMqS
            rybh8AKjJLhOO3YL2lnggxbBHNhY2TJpsAOtQnmb1tp5a20DLgAaw7bXxuL1ADn9
            kxEP5ClaYzpsPz56vwLmkSLbfOLl9774knpxPx5lxlpCofWysUuYZpSSiLgDUCYd
            tMrw9qY/HgYjPY6goQJBAOKZR+qizrSNCqucXzdi2uvEc4O2ZuPiYbv6+l/lmrvP
            jTmPbbiMOiioQ6e1XD8mmRuAq+z0ETy08NaUBNocWiUCQQDXzDXfsPP6tYTRrZ2i
            ZeNDVTAROfw6EaDZVzwWJQZXkE4uyL29ijyC3LaC8xtZZ+4f47CruFHhBcmo4ik1
            qjVVAkEA3gDuxKLdgWbtnVSGtOzVL0g5JEIAbCPPPSyXQHzjLD4cTtiG1tgL4ul3
            30eAKR7Xwmo+BtjYSnG7w38hgc9lQQJBAJXEmK9C9FFPoXqUcA7Bf9S/Trjl8XOr
            wGKW9JC56YjkEh7OG0Fsq0p3PAPuDVEjnFRthbPoHIt7pNWdANTJ6HECQGU9ok2y
            spi9EoGh8IFafXN4xabkUv7TATUVkZP8J2Sp76gpZh+P7pA60nQkZ+s0MkE5rFbZ
            4ROCyNF+v4p92Dc=
            -----END PRIVATE KEY-----
            """
        ),
        (
            "RSA for PSS alone",
            """
            -----BEGIN PRIVATE KEY-----
            MIIEuwIBADALBgkqhkiG9w0BAQoEggSnMIIEowIBAAKCAQEA6T80A0J9RpweMvDE
            1E6ScihEuKt1S+MvNeWnW8vUw3LgW3PfYTpx/HtOdML9IzdAWn90zQoZAAYtZoRd
            +H0aBVu0DHbwW+A5xLlwFGFO3j35IyCKIqJi2omRW+yCp756JjpKt/ZQ+gnBF3ED
            MGnBEn/1TILEdrBZgLGv1jbgpYFo4vr53CjBPYodwsZcZ/pXr/v6SpSzgcEsJWa0
            skWAhGTvyRviMS6RbLMwcL7zYkA2McIar6aCC+PHgJySvwRsFX0YBq+9dAXl7QCb
            Jrx+6tTqBsC56saVCSioGHbi2yK7eN3heAN358pdQZFgEtVnOI6+gcqjyiWscUtk
            QR9xIwIDAQABAoIBACldVpWPaJUpoadqEJYQOyN4pbtUWPB04U3/JN+ANgLVcBl3
            4rElAssCeSb235qrtUN3YBjuxgE9lzabmei0EvXJThR50WWRzdzoAAr1ON3sAq9q
            mWTMBJj6FafGOWOTQale5Bpc2f6F1VMZbTXcQ2vK+o8vj7T20GCk4misgcmH43nL
            zRbr1YPi2TqS8Cch5cc7H0bZ0Mr97CCAEZFmOiL58KV6bjKoh0ogZTSHuoWW1qE7
            MvBInBWksYpT4w7QBEjJzmn6spkT3SJUPMHFEC3gIOMOtmOJd4jFqwtZhd3d5//v
            AdaT6iOleM/LGI//kuiZMFJ8m0S6NcvVdc6br3UCgYEA/pyEuW+31Y2AUXeHeRd8
            3ByqCTA/Q9KSkrWtWCHp70hwdZsCDHzcy40bdZOW0E3jp5+Cru3tsYx+1NM2K0QN
            N7tCFa50lkPTBu2tXbrOLji9CHLTQCIMxyJPf4O+YxtENFqDMFFQgugowJwinVp3
            DmMNgYK70ys68swVWjY4DB8CgYEA6oTbLayjZSslXIBeiN+ENrUkwTq7eDwXFW9S
            wwfaxKDBo1Ov36iE9oxJDk/cImPE7GbLMhp5wZdf8acUgI2FZ16ZyJuKciM0Pjk8
            J492lOmMcDGUChKPmbdglHQ91IJHIiSN87wQf2j9yuriKMbWN0Mglr/YGJsvFUYH
            sWKtun0CgYEAuHm3QJRNYhFQM7ajFX2LHgA2wsmOTRm40UuI+R45XQHjWZKh/WJK
            p8DpcFsrHmoQ1FaiXRRO8CGXk6Qkz1xTJ1oqG4N3PZiOwapbvlmnIZ5CeGiZ3xHM
            qEuXxhAyVaRf2n7qJowEBZUoUcXO3qu5L1ddZcTPScU8xMZRgjdejIkCgYBxgewz
            pyNOjBuBMgCPbt+nOvWXML4b67mgfkkobFzOXqBaVN8C+aWhTzTs4GpDmtZtNTOU
            BIx5zrJ5W8zoi5bN+VOlbOMNa0yV8U3UN/PFD2URyG1GksU+OStdrwVeHdAgDmFG
            Xvf9MuvjktvzsIluJedYD3KgNjwLp+GBUamUYQKBgCu6F8F8dUlAESo4lQ6zJo/P
            S3QXfG5yeUrCFfrKkD1C3j1SCjslniZkwLWoANzAKR2WkMosQ6m3rorEYCKYGgiP
            datmIE5/lAmCCNyNmvg6V8y521DEmpKgnAtcujjVaJ0zJGrDxS5TpEldPqa6Ybh4
            cgCG0AL+M2iVUREukope
            -----END PRIVATE KEY-----
            """
        ),
        (
            "a pair of which one half is another RSA key",
            """
            -----BEGIN RSA PRIVATE KEY-----
            MIIEpAIBAAKCAQEA2Lzamoex3TToGRnUkH0xH+gUnOCqQkSaq+PZ6xrMPzbdwMCb
            z3eGzr76zX82IgA9etyVnqXOKXT+giETY/qQ+mpvOW1ryeW/Ylap1/DQ500+oIjP
            j6OpY+5p66gpEKM1X8oHFWwQXAGzEKmA9x++B0E+GMBf4zgkef1zE8J/p+8KkGZ3
            zb27EpYa8dYSdGIm4eyqyWHmI9841j4ZGIGx0+b7OkdVt/MIoUV2oE17fXurv9Bv
            JfihG+6+5N+SdoGwqg/5UqbEruYKzUc0e2CFBxBB65mifzX0N19M6Rg1r/wLA8Ho
            QJQJ5MIfgxchwicvNT3FvdiO0CKcgQPnrhETIQIDAQABAoIBAB2ZUuhnVHXT8rh+
            hvhwFEq6ve9KZOWOFeSrpXevT+sRhCCO2M2ZZ1/So8XFfb6IceO5q3GYw4KYXRB7
            2iW+EM26NLNpZ2UzWM7zjYuIPU7LFOc9DfikVs/bgQeTQ9lNiN3UUB/OTw2gWm12
            vcVJOPoFWwgc5N7sjTW4aHfpEegh7o37U9RowPMLyqcMoXs9LTXpcbSoEFiIVMeB
            xCu8QimZeciWl96H6UYHJ7ZvyODzEO7evspydux8inAmTNlkf5Qd1t2FQRI98NWG
            LO9md+ToEWPvEgKh0M3j5E9mTYrCm9Y/vfn+R7Dl0zz60ni4voNE6I/p//8LaFVb
            E7v44+UCgYEA+aB7NMZZ8m/b4c80ZWQKIDKKFfOseQyhMtWhvQEpXf4Z0WikJU6d
            MdA5sH8+00+VIm1hvOttrbUINfPGGuO4PmCFsugWhKEq6c/Ta90co58f4i3F7Iul
            Ya4Cspvdgcbwtgh8aZ5Sop5UQf9CE/U3iaZVvYIUYD8IHkbYZA4aorUCgYEAylgt
            M8lGunhwaE0+tCRLqtEPbgnUFTwMhPdlczhTd5E0qdrxv5Osq1RVYL5g8HkVCBgp
            nRAPKd1TfxTquds0/OZeYdvt4ctDAsFwYcwSs0F50tFAFaigiXjkind1EmmJ6B+9
            nu9uuiT3pQVx1UuKUuJx7zpiwsHqqiFdcxxXBOcCgYEAvdWEPLMnDg5xCf1YXE7C
            wI+OoXkIzZmEMTNzZ1etzNQDcFQCmHh7ZLl0Vbu+3FXmFSNXs6LaasKENvtmyWYp
            5A3lPxPuo/gouVyZ7KpfMDM/vPKQVP4xy+HYHVoZDqtqvRQhAPUs5IxBiVsENkdC
            cAS1qYN12We11ciMoTJ0oQ0CgYB7pcZ5jtWZvV9zXUCj9EoI6Bf1tivTjg5YcpWc
            Ax9+QU1dPl3cI/GwAKjrpWq3iEZB3AIR6G5bttP/JFkLmdiXcm7affqvr/YTCQIT
            wRDsWWaIXTY8Bf+UAjwmITl5NuT+4+aL6ORQ+6YZQWp+XNr6K0ZUWelf+f/cVuc0
            IG1MoQKBgQC0r8iX0K2uBZIMhPKmx8PkOJuicAmI4fLf4LkT4RjsizQugy7e3oaH
            dvTvKdeMy+5qiYY7VJ861p8bWwNtYEbfKALhOHO8Go11qwgxDXldNV4oQbbe+nhq
            S0xrd3mNj4kg6wo6STaw9JIWuAjY5+hlNq15lXXyij+iPrMSOkIK7w==
            -----END RSA PRIVATE KEY-----
            """
        ),
        (
            "brainpoolP256r1",
            """
            -----BEGIN PRIVATE KEY-----
            MIGIAgEAMBQGByqGSM49AgEGCSskAwMCCAEBBwRtMGsCAQEEIAif0QpHm3MPF1ze
            QtpYQdJsDkGBclcsr7/78uAFo16eoUQDQgAEVPjWFWE4UvFPAOWuvi8cfg1dvS7Q
            VGm1glNFLiALzww9SX+uuodrl9tNA4yoaAtwEOSwj4ZqoTdp9COTSjWvxA==
            -----END PRIVATE KEY-----
            """
        ),
        (
            "secp256k1",
            """
            -----BEGIN PRIVATE KEY-----
            MIGEAgEAMBAGByqGSM49AgEGBSuBBAAKBG0wawIBAQQgU6mbhsS6vjUm5X9cJukU
            4Er5PSlhOniSgoL0drmS+zKhRANCAAQtjAiFccdFv4PDlUXkMkHfMCWFbpLL6BR8
            NXA86fN4QgZ5dRBp5f+3Do0FNb9GKEpvTFtUTeRdEXuF9SMGWquk
            -----END PRIVATE KEY-----
            """
        ),
        (
            "X25519",
            """
            -----BEGIN PRIVATE KEY-----
            MC4CAQAwBQYDK2VuBCIEIChAi+QC6mrk8qJnGAnj60xJbjIXjbic/bbSLkb3ajZJ
            -----END PRIVATE KEY-----
            """
        ),
        (
            "X448",
            """
            -----BEGIN PRIVATE KEY-----
            MEYCAQAwBQYDK2VvBDoEOIg8qzs/glRxhRbzlp+he078fECrtks7mi4jKTNX9dkU
            +d5adqCgP8md4Yv6VLQArwWX5Z2vuEP+
            -----END PRIVATE KEY-----
            """
        ),
        (
            "a pair of which one half is another point",
            """
            -----BEGIN EC PRIVATE KEY-----
            MHcCAQEEIACa2hTm9DNzNWDQ+G9JhdmYvSgRvksI7PKWRPqvoF8goAoGCCqGSM49
            AwEHoUQDQgAEUvOpcUVwk2WiU1DDj4gkfJ6p18Awc88iYUXBLwsr8pRCsIGf7k50
            DAdFgIr97fiF/YyrkI6Fu9H+yCje/Fwqfw==
            -----END EC PRIVATE KEY-----
            """
        ),
        (
            "PKCS #8 under a passphrase",
            """
            -----BEGIN ENCRYPTED PRIVATE KEY-----
            MIH0MF8GCSqGSIb3DQEFDTBSMDEGCSqGSIb3DQEFDDAkBBB6OK0bf0EDO8mTMi98
            PL3tAgIIADAMBggqhkiG9w0CCQUAMB0GCWCGSAFlAwQBKgQQiWUQfcvDAlnlndBC
            4x5DmASBkGxoU8YEmbUjXTx362qw+saw3zUEi1qnwycy4ElzX2umqsCTnpoFWSw9
            s5jMoPXOyiVL5snSEkxbZwREmUkJ04lLg+WZdlOHCj/W/+ZUiwH+1+7grEkEHSbN
            t1X/Ytyz4X5j2duKH2oGZJ2BS212dFw7kH9gkTJ+agI1lUAnpFcS+4Kw1H0nVnDe
            CmAyRVuSPQ==
            -----END ENCRYPTED PRIVATE KEY-----
            """
        ),
        (
            "PKCS #1 under a passphrase",
            """
            -----BEGIN RSA PRIVATE KEY-----
            Proc-Type: 4,ENCRYPTED
            DEK-Info: AES-256-CBC,A2636FDB907F108CA6F0324827B736FB

            2SM/21PCnRB6r7r4HxWoTPYRRvos+08kDMewbGo77cVoSyLnSvXPGHPpKB0XVIj5
            355oYLGt979FGZy8JoEHRDDy55txfMjOjEprQd1BMrH1/5IPobmYzCeAeswWwRsu
            bj9NkAuRrFrmgIaQVwDuRl4+nq/AIVbenYXSfXsLCSeumLPrKBt5i1liR3KYBiap
            MpQ4dPle0BV5TU1m+wQWKgB2MQLsm7q2yeQc/0+R/ssdHQ6yDG0RiJwvxTy5FuHL
            3EiwPVP8e7UeqMa32NC9AZYsVnEiwol1sJMRTw7aJuxcpipqrvk7dQPWKCBklWkF
            WiVYZlVB9TAeQQJ4t1+pclsKNX9qrtLSpncM5upkzAYS6mykW8HiznULpww+cJ7g
            WZPpCSEfarQKkMDlHFb/elQJCT+e0HzZ61YLt8Q1JKkad47sbybMe0tF7uynT5Kh
            PW/c0ZL2u9eSKn95ZGZh9oYpsFEz9Z4vlI0iqbKxgbcPDp0IwWyBwd+nAbnW/5bq
            1GVqcN+2+bvf5wp+byD2BlwwTkccxWQ+I1HeN10VBFVLTfM4MY4QfXGzfFVw53yC
            xoJpdEhtWsL7RxS49HyTRnJS1Wtq+Hx5ZP5mYOZVlzCLnUCW8tJO89vRsrejKy9i
            JJGtF/m/avxp+TjnQt+pTxKm9N+F7dVtp/xRsz3RTZIeJAy1W6kNQhemYcLeLNTp
            IN0+oM3nedkYuGiF/5u8S57RWp9pAiua2nVLxKNLPwVFsAp9+cT5DsJ+2tIT1fus
            T3r6LbCr4xIk6vxjI96I3XbOCfxeQ6Sj0H2nH7o0c+7c7zsXTJMCBNf+7scWIR+3
            6HYZyJuIbubx55n368x8aYUsSzvwSmTnJmzsGfMsaNVL3AwZi3D+L/CN7IUoChL5
            m25ZdHBTMLcE31ifG9v/1qsUuEpjI6h3j1VFteSmF/JuTUmRq4m9vZBNo3jQWcq/
            9RXjk2OVwQT6Yyr6Ey0vzAS5+93anKVs4ojymJuPUDOoA2PIgQI6zz8I3pkrLDpq
            Ooj2JYOELz0ynuKwVH2iLUgHpwfAPCNQj4P5NEn5EBhQg4OcrMJRpwmXhH/+Hwez
            yP14ikMOscJV5ZAkjMmwLFc/ofHY87ckJuJPEj8fHRNr1CRuRupzKdye+yU+Xas9
            Y6QUYP6mDO+SDnXKHpTKnotZwBASgkTvRKLem3yQaPDv9oFWndAFCo+vjhy3nV9k
            9nJxm2arhsHrCKVctwez6hsbBzcgVnbpPlrkXSxS2w9K8Qqtbk1iAflXcZrkpNtl
            LP8yjewzKTAdNODUy4zkQKnlnMslWJbvzT93wiLhmCx+OBHHMUCb2s74InXxFVuq
            +GLHSmbWnNFNQyvIT6Zcw4+SryYuN7YKkRin9rLvd/6YGBKoojT5lo7a2H5SnRiA
            pX5XHL1quhYEf0vP0BXRMiSu+AY2MgKoAyjEfGq1U0hSiy87JkY5NYQvpeHzNTHh
            q9jVXGFAOYATlnhpjtTQRyZx/hFzoRK1yZ4EdPOrgoVz2guD/j9si5UFReD88bY6
            nS3zgZuj8g2kMl4Aqv0SEdMVdVDerpei8kyO8S3hJxuVzY33YejKuEbqh3iUp3V9
            -----END RSA PRIVATE KEY-----
            """
        ),
        (
            "a public key",
            """
            -----BEGIN PUBLIC KEY-----
            MCowBQYDK2VwAyEAZVFXepUakks673VDtdfCDwzTpRQj7EnkBkV5/38DSaM=
            -----END PUBLIC KEY-----
            """
        ),
    ]
}
